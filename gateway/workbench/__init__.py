"""What somebody who writes policies works with. Never on the way of a call: everything here reads files, and asks
questions whose answers nobody carries out."""
