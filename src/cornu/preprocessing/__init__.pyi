# Written by scripts/stubs; a test compares.

from cornu.preprocessing import sequence as sequence
