"""Pure functions of arrays: no state, no files, no random numbers (draws come in).

The rooms above call them as `k.retail_price(...)`: what stands behind `k.` is arithmetic.
"""

from tariffsim.kernels.assembly import *
from tariffsim.kernels.compliance import *
from tariffsim.kernels.duties import *
from tariffsim.kernels.inventory import *
from tariffsim.kernels.investment import *
from tariffsim.kernels.prices_and_demand import *
from tariffsim.kernels.sourcing import *
from tariffsim.kernels.sums import *
from tariffsim.kernels.supply import *
from tariffsim.kernels.welfare import *
