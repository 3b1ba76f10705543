"""Sphinx configuration; the pages are Markdown, read by MyST."""

from importlib import metadata

project = "agentlogsafe"
author = "agentlogsafe contributors"
copyright = f"2026, {author}"  # noqa: A001 - the name Sphinx reads
release = metadata.version("agentlogsafe")
version = release

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]

autodoc_typehints = "description"
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"agentlogsafe {release}"
