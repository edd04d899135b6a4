"""How older schemas become the present one; `schema.migrate` runs these in order."""
