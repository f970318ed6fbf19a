-- How large the warehouse is: estimated rows of every table, largest first.
select
    schema_name,
    table_name,
    estimated_size as n_rows,
    column_count as n_columns
from duckdb_tables()
order by n_rows desc
