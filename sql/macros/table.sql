{#
    A table in the place of the one that was there, in one transaction, so that a model that fails leaves the old one.
    dbt's own way renames both and drops the old one in a transaction of its own, each step with all that dbt prepares
    for it, because other databases cannot take a table back. A model in Python writes by a connection of its own, so it
    needs another name until its rows are there.
#}
{% materialization table, adapter='duckdb', supported_languages=['sql', 'python'] %}
    {%- set is_python = model['language'] == 'python' -%}
    {%- set there = load_cached_relation(this) -%}
    {%- set made = this.incorporate(type='table') -%}
    {%- set written = make_intermediate_relation(made) if is_python else made -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {% if is_python %}
        {% call statement('drop_leftover', auto_begin=False) -%}
            drop table if exists {{ written }}
        {%- endcall %}
    {% endif %}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% if not is_python %}
        {{ drop_for(made, there) }}
    {% endif %}
    {% call statement('main', language=model['language']) -%}
        {{ create_table_as(False, written, compiled_code, model['language']) }}
    {%- endcall %}
    {% if is_python %}
        {{ drop_for(made, there) }}
        {% call statement('rename') -%}
            alter table {{ written }} rename to {{ made.include(database=false, schema=false) }}
        {%- endcall %}
    {% endif %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do persist_docs(made, model) %}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [made]}) }}
{% endmaterialization %}

{% macro drop_for(made, there) %}
    {% if there is not none %}
        {% call statement('drop_old') -%}
            drop {{ there.type }} {{ there }}
        {%- endcall %}
    {% endif %}
{% endmacro %}
