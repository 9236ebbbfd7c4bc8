"""Reference servers for authors to start from: a guarded base, a file server held to paths, and the demo's."""
