"""The command's groups, one module each. Heavy imports happen inside the functions: `--help` must not wait
for them.

Commands parse, call the part that does the work, and print; what they know how to do themselves is little.
Errors pass through them to `base`, the one place that turns an exception into an exit code and a message.
"""
