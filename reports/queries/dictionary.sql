with

described as (

    select
        schema_name,
        table_name,
        comment
    from duckdb_tables()
    where not internal

    union all

    select
        schema_name,
        view_name as table_name,
        comment
    from duckdb_views()
    where not internal

)

select
    described.schema_name,
    described.table_name,
    described.comment as table_meaning,
    columns.column_name,
    columns.data_type,
    columns.comment as column_meaning
from described
inner join duckdb_columns() as columns
    on
        described.schema_name = columns.schema_name
        and described.table_name = columns.table_name
where described.schema_name in ('marts', 'raw')
order by
    described.schema_name,
    described.table_name,
    columns.column_index
