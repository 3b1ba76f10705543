"""The reading wing: stored events become tables, rules find what is wrong with them.

`lines` takes lines apart, `load` makes tables of files, `integrity` and `completeness` are rules over `tables`,
`engines` runs them on DuckDB or Spark. It needs the extra ``review``, which is imported when something is checked.
"""
