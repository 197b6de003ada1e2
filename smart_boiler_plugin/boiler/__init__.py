"""One boiler asset of the host: its data, the household's comfort, its sensors by role, and whose boilers there are.

What is stored in a boiler's asset is read and written here and nowhere else. Not here: what its sensors hold
(``facts``).
"""
