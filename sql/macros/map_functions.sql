{#
    Functions on maps for whoever reads the warehouse, in every client: macros of DuckDB beside the marts, kept in its file.
    They name no catalog, no table and not each other, so they follow the file through a new name, a copy and an ATTACH.

    A list that is null, empty, or holds a null, a NaN or an infinity has no number, nor have two of unlike lengths. Sums
    run in float64, as in `measures`: of FLOAT[] DuckDB's own functions would make FLOAT. What a lambda needs it finds in
    one struct, never in an argument: a caller's column may be called like a lambda's parameter.
#}
{% macro create_map_functions() -%}
create schema if not exists marts;

create or replace macro marts.map_l2(a, b) as
case
    when {{ are_comparable('a', 'b') }}
        then list_distance(a::double[], b::double[])
end;
comment on macro marts.map_l2 is
'Euclidean distance of two lists of one length; of two centroids, pixels.';

create or replace macro marts.map_correlation(a, b) as
case
    when
        {{ are_comparable('a', 'b') }}
        and list_min(a::double[]) < list_max(a::double[])
        and list_min(b::double[]) < list_max(b::double[])
        then list_cosine_similarity({{ scaled(centred('a')) }}, {{ scaled(centred('b')) }})
end;
comment on macro marts.map_correlation is
'Pearson correlation of two maps, -1 to 1; null where either is constant.';

create or replace macro marts.map_cosine(a, b) as
case
    when
        {{ are_comparable('a', 'b') }}
        and {{ peak('a') }} > 0
        and {{ peak('b') }} > 0
        then list_cosine_similarity({{ scaled('a') }}, {{ scaled('b') }})
end;
comment on macro marts.map_cosine is
'Cosine of the angle between two maps, -1 to 1, of attention 0 to 1; null where either is zero.';

create or replace macro marts.map_centroid(map) as
case
    when
        {{ is_whole('map') }}
        and sqrt(len(map))::bigint ** 2 = len(map)
        and list_min(map::double[]) >= 0
        and list_sum(map::double[]) > 0
        then list_transform(
            [{'map': map::double[], 'mass': list_sum(map::double[]), 'side': sqrt(len(map))::bigint}],
            lambda whole: [
                224 / whole.side * list_sum(
                    list_transform(whole.map, lambda patch, i: patch * ((i - 1) % whole.side))
                ) / whole.mass + (224 / whole.side - 1) / 2,
                224 / whole.side * list_sum(
                    list_transform(whole.map, lambda patch, i: patch * ((i - 1) // whole.side))
                ) / whole.mass + (224 / whole.side - 1) / 2
            ]
        )[1]
end;
comment on macro marts.map_centroid is
'[x, y], mean of the patches'' centres by their attention, in pixels of a 224-pixel picture; null for a zero map, a negative patch and a list whose length is no square.';
{%- endmacro %}

{% macro is_whole(map) -%}
(len({{ map }}) = list_count({{ map }}) and isfinite(list_sum({{ map }}::double[])))
{%- endmacro %}

{% macro are_comparable(a, b) -%}
(len({{ a }}) = len({{ b }}) and {{ is_whole(a) }} and {{ is_whole(b) }})
{%- endmacro %}

{% macro peak(map) -%}
greatest(list_max({{ map }}::double[]), -list_min({{ map }}::double[]))
{%- endmacro %}

{# The map over its largest value, so that the squares of tiny attention do not vanish. #}
{% macro scaled(map) -%}
list_transform(
    [{'map': {{ map }}::double[], 'peak': {{ peak(map) }}}],
    lambda whole: list_transform(whole.map, lambda patch: patch / whole.peak)
)[1]
{%- endmacro %}

{% macro centred(map) -%}
list_transform(
    [{'map': {{ map }}::double[], 'mean': list_avg({{ map }}::double[])}],
    lambda whole: list_transform(whole.map, lambda patch: patch - whole.mean)
)[1]
{%- endmacro %}
