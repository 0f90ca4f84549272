"""Old spellings: tables of old names and keywords, and the hooks that apply them. The rest works without this folder."""
