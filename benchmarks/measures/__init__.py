"""The measures: each module has functions that measure, and functions that write what was found as Markdown."""
