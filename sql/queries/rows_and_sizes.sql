-- How large the warehouse is: estimated rows of every table, largest first.
-- For example, of the demo: schema_name raw, table_name attention_masses, n_rows 652512, n_columns 13 (1 of 91 rows).
select
    schema_name,
    table_name,
    estimated_size as n_rows,
    column_count as n_columns
from duckdb_tables()
order by n_rows desc
