"""Policy bundles as OPA defines them: built, signed, checked, served; and which revision may decide."""
