{%- set ranking = 'run_id, measure, pass, denoise_step, query, camera' -%}

with

head_focus as (

    select * from {{ ref('int_head_focus_averaged_to_episodes') }}

),

object_attention as (

    select * from {{ ref('object_attention_by_episode') }}
    where
        role = 'target'
        and rows = 'mean'

),

runs as (

    select * from {{ ref('stg_raw__runs') }}

),

focus as (

    select
        run_id,
        episode_id,
        pass,
        denoise_step,
        query,
        camera,
        layer,
        avg(variance) as variance,
        avg(entropy_norm) as entropy_norm
    from head_focus
    group by all

),

lifts as (

    -- Beside masks of other episodes, for the target often lies where a map is heavy anyway.
    select
        run_id,
        episode_id,
        pass,
        denoise_step,
        query,
        camera,
        layer,
        any_value(lift) filter (where against = 'own') as target_lift,
        any_value(lift) filter (where against = 'own')
        - any_value(lift) filter (where against = 'other_episode') as target_lift_gain
    from object_attention
    group by all

),

measured as (

    {% for measure, relation in [
        ('variance', 'focus'), ('entropy_norm', 'focus'), ('target_lift', 'lifts'), ('target_lift_gain', 'lifts'),
    ] -%}
        select
            run_id,
            episode_id,
            '{{ measure }}' as measure,
            pass,
            denoise_step,
            query,
            camera,
            layer,
            {{ measure }}::double as value,
            {{ '-' if measure == 'entropy_norm' }}{{ measure }}::double as score
        from {{ relation }}
        where {{ measure }} is not null
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

ranked_in_episodes as (

    select
        measured.*,
        {{ is_last_prefix_layer('measured.pass', 'measured.layer', 'runs.n_layers') }} as is_last_prefix_layer,
        rank() over (
            partition by
                measured.run_id,
                measured.episode_id,
                measured.measure,
                measured.pass,
                measured.denoise_step,
                measured.query,
                measured.camera,
                is_last_prefix_layer
            order by measured.score desc
        ) as episode_rank
    from measured
    inner join runs
        on measured.run_id = runs.run_id

),

averaged_over_episodes as (

    select
        {{ ranking }},
        layer,
        is_last_prefix_layer,
        count(*) as n_episodes,
        avg(value) as mean_value,
        stddev_samp(value) as std_value,
        avg(score) as mean_score,
        avg(episode_rank) as mean_episode_rank,
        stddev_samp(episode_rank) as std_episode_rank
    from ranked_in_episodes
    group by all

),

ranked as (

    select
        {{ ranking }},
        layer,
        is_last_prefix_layer,
        n_episodes,
        mean_value,
        std_value,
        case when not is_last_prefix_layer then rank() over (
            partition by {{ ranking }}, is_last_prefix_layer
            order by mean_score desc
        ) end as layer_rank,
        case when not is_last_prefix_layer then mean_episode_rank end as mean_episode_rank,
        case when not is_last_prefix_layer then std_episode_rank end as std_episode_rank
    from averaged_over_episodes

)

select * from ranked
