"""How often the tests of outcomes reject when nothing is there, and when something is: 2,000 simulated studies each."""

from __future__ import annotations

from measures.simulation import Design, rejection_rates

N_STUDIES = 2000
SEED = 20


def main() -> None:
    """Prints a line a truth. Bars: a single test 4 to 6 %, the corrected family of 54 at most 6 %, power over .9."""
    truths = {
        "no effect": Design(),
        "d = 1 in one metric of 54": Design(d=1.0, n_affected=1),
    }
    print(f"Null simulations: {N_STUDIES} studies of 30 + 30 episodes, 12 frames each, ICC 0.5, 54 metrics")
    columns = "Welch", "permuted", "pooled", "any of 54", "any, Holm", "by H1.1b"
    print(f"{'truth':28}" + "".join(f"{column:>11}" for column in columns))
    for name, design in truths.items():
        rates = rejection_rates(design, N_STUDIES, SEED)
        print(f"{name:28}" + "".join(f"{rate:11.3f}" for rate in rates[:-1]))


if __name__ == "__main__":
    main()
