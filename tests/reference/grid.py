"""Statistics of a grid by listing every pair and every quadruple of cells, one neuron at a time."""

from itertools import permutations, product


def cells_of(size, without_row=None, without_column=None, without_cell=None):
    """Cells (row, column) of a square grid, less those left out."""
    every = product(range(size), repeat=2)
    return [c for c in every if c[0] != without_row and c[1] != without_column and c != without_cell]


def slow_cells(values, rows, columns, size):
    """Sums [row][column] of one value per target."""
    sums = [[0.0] * size for _ in range(size)]
    for value, row, column in zip(values, rows, columns, strict=True):
        sums[row][column] += value
    return sums


def disjoint(cells):
    """Whether no two cells share a row or a column."""
    return len({r for r, _ in cells}) == len({c for _, c in cells}) == len(cells)


def slow_product_sum(table, cells, order):
    """Sum of products over all ordered tuples of mutually disjoint cells."""
    total = 0.0
    for chosen in permutations(cells, order):
        if disjoint(chosen):
            factor = 1.0
            for row, column in chosen:
                factor *= table[row][column]
            total += factor
    return total


def slow_power_mean(sums, counts, order, **without):
    """Mean over neurons of the product sums, over that of the counts."""
    cells = cells_of(len(counts), **without)
    mean = sum(slow_product_sum(table, cells, order) for table in sums) / len(sums)
    return mean / slow_product_sum(counts, cells, order)


def slow_mean(sums, counts, **without):
    """Sum over count of one table."""
    cells = cells_of(len(counts), **without)
    return sum(sums[r][c] for r, c in cells) / sum(counts[r][c] for r, c in cells)


def slow_jackknife(values):
    """Tukey's variance from leave-one-out values."""
    k = len(values)
    mean = sum(values) / k
    return (k - 1) / k * sum((value - mean) ** 2 for value in values)


def slow_two_way(statistic, size):
    """Row plus column less cell variance, not below the cell variance; `statistic` takes what is left out."""
    row = slow_jackknife([statistic(without_row=a) for a in range(size)])
    column = slow_jackknife([statistic(without_column=b) for b in range(size)])
    cell = slow_jackknife([statistic(without_cell=c) for c in product(range(size), repeat=2)])
    return max(row + column - cell, cell)
