"""The console, on a host of its own: what its visitors' tokens permit, as pages.

A page is a module with its endpoints and a `Section` or a part of one, and its templates under
`templates/console`. `shell` is what they have in common, `sections` lists them.
"""
