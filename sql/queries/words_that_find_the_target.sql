-- Which words move attention to the target: lift of the target under each word, the word that names it against others,
-- at the layer where the naming word sees it best.
-- For example, of the demo: camera base, layer 0, word cat, names_target True, mean_lift 27.23, n_episodes 6 (1 of 48
-- rows).
with

words as (

    select
        run_id,
        camera,
        layer,
        word,
        names_target,
        avg(lift) as mean_lift,
        count(distinct episode_id) as n_episodes
    from marts.word_object_attention
    where
        role = 'target'
        and not is_last_prefix_layer
    group by all

),

best_layers as (

    select
        run_id,
        camera,
        max_by(layer, mean_lift) as layer
    from words
    where names_target
    group by all

)

select
    words.run_id,
    words.camera,
    words.layer,
    words.word,
    words.names_target,
    round(words.mean_lift, 3) as mean_lift,
    words.n_episodes
from words
inner join best_layers
    using (run_id, camera, layer)
order by words.run_id asc, words.camera asc, words.mean_lift desc
