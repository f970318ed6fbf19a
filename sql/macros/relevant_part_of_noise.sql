{#-
    The part of another noise's error that a change must exceed to count as a cause: share / (1 - share), where share is
    that of the actions' variance. measures.diagnosis.RELEVANT_SHARE says why it is 0.14; a test keeps the two in step.
-#}
{% macro relevant_part_of_noise() -%}
    (0.14 / 0.86)
{%- endmacro %}
