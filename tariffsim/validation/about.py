"""What the scores of published outcomes mean: how each is computed, and what a failure touches."""

from __future__ import annotations

from collections.abc import Mapping

COMPUTED: Mapping[str, str] = {
    "V1": "Chinese discretes that enter unmounted for assembly in the United States, from 2017 on.",
    "V2": "The same for Chinese integrated circuits, classes A to C.",
    "V4": "Value of Chinese chips that enter unmounted, and revenue of US foundries, with Section "
    "301 and without; only chips that the devices hold, all of them legacy chips.",
    "V5": "A small market with the model's choice of places; six groups of goods.",
    "V6": "The same, with a duty of 3 %.",
    "V8": "The same, for washers.",
    "V9": "Price before duty and retail price of imports that come from the same country in two "
    "runs, with the duties and without; to retail six months into the tariff of V15. The settings "
    "trade.border_pass_through and trade.pass_through cite the same sources, so that this tests "
    "that nothing else moves prices much, and little more.",
    "V10": "The same market as V5, for parts of computers.",
    "V11": "All foundries of a region lose so much of their capacity in 2021 that what is left is "
    "short of orders by 35 days of a year, by which users' stocks fell. Panic orders and cars "
    "cancelled in 2020 are not in the model.",
    "V13": "Products sold in the United States in the base year by the chips in them, and by "
    "whether the importer knows these. Nobody reacts in a base year.",
    "V14": "17.5 % on all devices from China from July 2018: share of the duty evaded in 2020 by "
    "naming another country. The setting compliance.evasion_cost cites the same source. Low "
    "declared prices are not in the model.",
    "V15": "25 % on Chinese phones and laptops from January 2019, against no tariff; means of the "
    "year. Retail prices follow duty over 18 months (trade.pass_through_months).",
    "V16": "A duty of 25 % on chips that enter the United States unmounted, as a tariff on chips "
    "is levied: those of any origin, and those of China, 2025 to 2034. Chips more advanced than "
    "20 nm, most of the value of all chips, are not in the model. This reading was "
    "taken after the other had been scored: component tariffs, which reach chips inside products, "
    "fail. The figure is the ratio of two means over seeds, as the second may be near zero in a "
    "seed, with the spread to first order; the mean of ratios, taken before, was 8.6.",
    "V18": "US chips of classes C and D in what China buys, in the run from 2017. No price war is "
    "put in: prices of US foundries follow the world's utilisation and learning.",
    "V19": "Parts of products sold in the United States that have a Chinese supplier in the base "
    "year, and the same one at the end of 2017.",
    "V21": "Share of countries in what the device groups import of a sector, from 2017 on.",
    "V22": "The same; the groups are 30 % of the sector.",
    "V24": "Duty over imports of the device groups of a sector; 59, 30 and 65 % of the sectors.",
    "V25": "Share of China by quarter.",
    "V26": "Growth on the year before, quarter against quarter.",
    "V27": "Duty over imports by product; for semiconductors that of chips made abroad that enter "
    "unmounted for the devices (solar cells and memory are left out).",
}
"""How the model's figure is made, and what it leaves out."""

TOUCHES: Mapping[str, str] = {
    "V1": "how fast Chinese discretes are replaced: the effect of component tariffs on the share "
    "of Chinese chips by number, most of which are discretes",
    "V2": "how fast Chinese integrated circuits are replaced: the effect of component tariffs on "
    "the share of Chinese chips by value",
    "V4": "what US foundries gain from duties: home capacity, and the effect of tariffs on bare "
    "chips",
    "V5": "how far assembly leaves China under a whole-product tariff, and what that costs buyers",
    "V6": "how far small duties move assembly",
    "V8": "how fast footloose makers move under a high duty: whole-product tariffs of 50 %",
    "V9": "how much of a duty buyers pay: consumers' loss, and duty revenue, of every tariff",
    "V10": "how fast assembly of computers and consumer goods leaves China",
    "V11": "what a shortage or cut-off of chips costs: losses in all cut-off scenarios",
    "V13": "how many products a component tariff or a cut-off reaches",
    "V14": "duty evaded: revenue and effect of tariffs at high rates",
    "V15": "prices and sales in the first year of a tariff on finished goods",
    "V16": "cost of tariffs on chips of all origins relative to tariffs on Chinese ones",
    "V18": "prices of rivals where Chinese capacity grows: foundries' margins, capacity outside "
    "China, and the effect of no expansion",
    "V19": "how long makers keep a chip supplier: the speed of all effects on the Chinese share",
    "V21": "where electronics are assembled: whole-product tariffs",
    "V22": "where electrical goods are assembled: whole-product tariffs",
    "V24": "duty revenue, and how much duty goods from China bear",
    "V25": "speed of the first response of assembly: effects in the first two years",
    "V26": "stocking up before a duty: revenue and imports in the months around its start",
    "V27": "duty revenue by device",
}
"""Results of the model that a failure puts in doubt."""
