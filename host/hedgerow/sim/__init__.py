"""Discrete-event simulator: runs the node's own rules and store over contacts, beside reference routers."""
