"""Programs that this one starts: each leads a process group, and none outlives us."""
