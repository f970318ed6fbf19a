create table raw.rows_kept (
    table_name varchar,
    n_rows ubigint
);

comment on table raw.rows_kept is
    'One row per raw table that the last load added to, where no episode that changed had rows before: its first rows belong to episodes that did not change. Empty when everything was loaded anew.';

comment on column raw.rows_kept.table_name is
    'Raw table without its schema: attention_masses, object_metrics, ...';
comment on column raw.rows_kept.n_rows is
    'So many rows were in the table before the last load; the rows behind them are new.';
