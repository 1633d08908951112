"""What Doorward means, in pure Python: no framework, no I/O, and no clock but the one passed in.

Read in this order: `labels`, `selectors`, `credentials`, `tokens`, `apps`, `policy`, `decision`.
"""
