{#
    True for image maps that nothing in the model uses: the attention output of a Pi0-family prefix's last layer is
    thrown away (only its keys and values go on), so such maps count in no family and no verdict.
#}
{% macro is_last_prefix_layer(pass='pass', layer='layer', n_layers='n_layers') -%}
({{ pass }} = 'prefix' and {{ layer }} = {{ n_layers }} - 1)
{%- endmacro %}
