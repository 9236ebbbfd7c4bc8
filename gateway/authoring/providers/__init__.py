"""Where tokens for tools come from: Auth0, Okta, Entra (Azure AD) and any other OAuth server, behind one protocol."""
