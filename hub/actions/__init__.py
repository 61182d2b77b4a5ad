"""What PSN can do: one module per subject, one function per verb (SPEC 0). Commands, tasks and views call these and nothing else."""
