-- The masses of a query are shares of all its attention. Sums in float64; float32 keeps 1e-4, 16-bit runs 2e-3.
-- Rows that a model rounded to 16 bits may miss 1 by 2^-8; capture divides them by their sum (docs/conformance.md).
select
    attention_masses.run_id,
    attention_masses.inference_id,
    attention_masses.pass,
    attention_masses.denoise_step,
    attention_masses.layer,
    attention_masses.head,
    attention_masses.query_index,
    list_sum(attention_masses.masses::double[]) as total_mass
from {{ changed_rows('attention_masses') }} as attention_masses
inner join {{ ref('stg_raw__runs') }} as runs
    on attention_masses.run_id = runs.run_id
inner join {{ ref('stg_raw__inferences') }} as inferences
    on
        attention_masses.run_id = inferences.run_id
        and attention_masses.inference_id = inferences.inference_id
where
    inferences.status in ('ok', 'vacuous')
    and not coalesce(
        abs(list_sum(attention_masses.masses::double[]) - 1)
        <= case when runs.dtype = 'float32' then 1e-4 else 2e-3 end,
        false
    )
