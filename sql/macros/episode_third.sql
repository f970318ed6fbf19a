{# Third of an episode that a frame lies in, by its number: 'first', 'middle' or 'last'. #}
{% macro episode_third(frame_index='frame_index', n_frames='n_frames') -%}
case
    when 3 * {{ frame_index }} < {{ n_frames }} then 'first'
    when 3 * {{ frame_index }} < 2 * {{ n_frames }} then 'middle'
    else 'last'
end
{%- endmacro %}
