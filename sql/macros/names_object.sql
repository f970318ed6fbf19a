{#- Whether a word is one of an object's name, letters alone, without case and plural s: 'Ducks,' names 'duck toy'. -#}
{% macro names_object(word, object) -%}
    coalesce(
        list_contains(
            regexp_split_to_array({{ singular(object) }}, '[^\p{L}\p{N}]+'),
            {{ singular(word) }}
        ), false
    )
{%- endmacro %}

{% macro singular(text) -%}
    regexp_replace(regexp_replace(lower({{ text }}), '[^\p{L}\p{N} ]', '', 'g'), 's\b', '', 'g')
{%- endmacro %}
