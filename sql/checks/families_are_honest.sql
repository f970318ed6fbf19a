-- A correction never makes a p smaller, a family counts the tests it holds, and the layer whose prefix output nothing
-- uses is in none.
{% set last_layer = is_last_prefix_layer('tests.pass', 'tests.layer', 'runs.n_layers') %}
with

tests as (

    select
        run_id,
        family,
        pass,
        layer,
        family_size,
        p_welch as p,
        p_welch_holm as p_holm,
        p_welch_bh as p_bh
    from {{ ref('outcome_tests') }}

    union all

    select
        run_id,
        family,
        pass,
        layer,
        family_size,
        p,
        p_holm,
        p_bh
    from {{ ref('paired_tests') }}

)

select
    tests.*,
    count(tests.p) over (partition by tests.run_id, tests.family) as n_tests
from tests
inner join {{ ref('stg_raw__runs') }} as runs
    on tests.run_id = runs.run_id
qualify
    tests.family_size != n_tests
    or not coalesce(tests.p_bh >= tests.p - 1e-12, true)
    or not coalesce(tests.p_holm >= tests.p_bh - 1e-12, true)
    or coalesce({{ last_layer }}, false)
