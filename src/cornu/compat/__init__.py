"""Old spellings: tables of old names and keywords, and what applies them. The rest works without this folder."""
