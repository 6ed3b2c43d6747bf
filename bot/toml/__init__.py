"""TOML that people write: read with the line of every fault, and put into a frozen shape.

Shared by the settings, the timetable and the library.
"""
