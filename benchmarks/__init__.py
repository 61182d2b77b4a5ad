"""Where the figures in README come from: each module prints ratios against something real, measured in the same run."""
