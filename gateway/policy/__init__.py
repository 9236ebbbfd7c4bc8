"""Room 4: may they: Question -> Decision."""
