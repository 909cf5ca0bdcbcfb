"""One module for each kind of statement: it takes the text apart, asks the state, and answers a result set.

`router` says which statement goes to which module. What neither this package nor fakesnow has is refused.
"""
