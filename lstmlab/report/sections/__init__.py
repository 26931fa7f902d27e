"""The sections of a report, one file each: functions of what was collected that return a ``Section``."""
