"""The data layer's first users: the AI conductor that plans workflows, and the model pool.

What plans and what runs models is given to them as a protocol.
"""
