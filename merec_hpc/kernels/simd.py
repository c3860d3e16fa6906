"""Vector instructions that Numba's own loops do not reach.

Without the compiler (``NUMBA_DISABLE_JIT=1``) the same functions are plain Python.
"""

from typing import Any

import llvmlite.binding as llvm
import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numpy.typing import NDArray

BLOCK = 16 if llvm.get_host_cpu_features().get("avx512f") else 8
"""Clips of a block: the floats of one register. No sum's bits depend on it."""


def _sum_outer_products(
    left: NDArray[np.float32],  # (n_rows, BLOCK)
    right: NDArray[np.float32],  # (n_rows, BLOCK)
    start: int,
    stop: int,
    sums: NDArray[np.float32],  # (n_sums, BLOCK, BLOCK), [at] is written
    at: int,
) -> None:
    """Write the sum over rows start..stop of the outer product of left's and right's row."""
    sums[at] = left[start:stop].T @ right[start:stop]


def _copy_block(
    source: NDArray[np.float32],  # contiguous
    source_place: int,
    target: NDArray[np.floating],  # contiguous, float32 or float64
    target_place: int,
) -> None:
    """Copy BLOCK numbers from one place to another, counted in numbers from the beginning."""
    source_numbers = source.reshape(-1)[source_place : source_place + BLOCK]
    target.reshape(-1)[target_place : target_place + BLOCK] = source_numbers


def _add_block(
    source: NDArray[np.float32],  # contiguous
    source_place: int,
    target: NDArray[np.floating],  # contiguous, float32 or float64
    target_place: int,
) -> None:
    """Add BLOCK numbers to those at another place."""
    source_numbers = source.reshape(-1)[source_place : source_place + BLOCK]
    target.reshape(-1)[target_place : target_place + BLOCK] += source_numbers


_SIZE, _LANE = ir.IntType(64), ir.IntType(32)
_VECTOR = ir.VectorType(ir.FloatType(), BLOCK)


@intrinsic
def _sum_outer_products_in_registers(
    _typing: Any, left: Any, right: Any, _start: Any, _stop: Any, sums: Any, _at: Any
) -> Any:
    return types.void(left, right, types.intp, types.intp, sums, types.intp), _emit_sum


def _emit_sum(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Emit the loop over rows; the sums stay in registers until it ends."""
    start, stop, at = arguments[2], arguments[3], arguments[5]
    lefts, rights, written = (
        _data(context, builder, signature, arguments, place) for place in (0, 1, 4)
    )
    zero, entry = ir.Constant(_VECTOR, [0.0] * BLOCK), builder.basic_block
    loop, end = builder.append_basic_block("row"), builder.append_basic_block("end")
    builder.cbranch(builder.icmp_signed("<", start, stop), loop, end)

    builder.position_at_end(loop)
    row = builder.phi(_SIZE)
    row.add_incoming(start, entry)
    totals = [builder.phi(_VECTOR) for _ in range(BLOCK)]
    grown = _emit_row(builder, lefts, rights, row, totals)
    following = builder.add(row, ir.Constant(_SIZE, 1))
    row.add_incoming(following, loop)
    for total, next_total in zip(totals, grown, strict=True):
        total.add_incoming(zero, entry)
        total.add_incoming(next_total, loop)
    builder.cbranch(builder.icmp_signed("<", following, stop), loop, end)

    builder.position_at_end(end)
    results = [builder.phi(_VECTOR) for _ in range(BLOCK)]
    for result, next_total in zip(results, grown, strict=True):
        result.add_incoming(zero, entry)
        result.add_incoming(next_total, loop)
    _emit_stores(builder, results, written, at)
    return context.get_dummy_value()


def _emit_row(builder: Any, lefts: Any, rights: Any, row: Any, totals: list[Any]) -> list[Any]:
    """Emit one load, BLOCK broadcasts and fused multiply-adds; return the grown totals."""
    fused = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(_VECTOR, [_VECTOR] * 3), f"llvm.fma.v{BLOCK}f32"
    )
    everywhere = ir.Constant(ir.VectorType(_LANE, BLOCK), [0] * BLOCK)
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    offset = builder.mul(row, ir.Constant(_SIZE, BLOCK))
    column = builder.bitcast(builder.gep(rights, [offset]), _VECTOR.as_pointer())
    values = builder.load(column, align=4)
    grown = []
    for clip, total in enumerate(totals):
        place = builder.add(offset, ir.Constant(_SIZE, clip))
        scalar = builder.load(builder.gep(lefts, [place]))
        single = builder.insert_element(undefined, scalar, ir.Constant(_LANE, 0))
        spread = builder.shuffle_vector(single, undefined, everywhere)
        grown.append(builder.call(fused, [spread, values, total]))
    return grown


def _emit_stores(builder: Any, results: list[Any], written: Any, at: Any) -> None:
    """Emit the stores of a block's rows at place ``at``."""
    first = builder.mul(at, ir.Constant(_SIZE, BLOCK * BLOCK))
    for clip, result in enumerate(results):
        place = builder.add(first, ir.Constant(_SIZE, clip * BLOCK))
        target = builder.bitcast(builder.gep(written, [place]), _VECTOR.as_pointer())
        builder.store(result, target, align=4)


def _block_intrinsic(adds: bool) -> Any:
    """Return the instruction that copies a block of numbers, or adds it to what is there."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values, place = _block(context, builder, signature, arguments)
        if adds:
            values = builder.fadd(builder.load(place, align=4), values)
        builder.store(values, place, align=4)
        return context.get_dummy_value()

    @intrinsic
    def instruction(
        _typing: Any, source: Any, _source_place: Any, target: Any, _target_place: Any
    ) -> Any:
        return types.void(source, types.intp, target, types.intp), emit

    return instruction


def _block(context: Any, builder: Any, signature: Any, arguments: Any) -> tuple[Any, Any]:
    """Return a block of the source in the target's kind, and the pointer to where it belongs."""
    sources = _data(context, builder, signature, arguments, 0)
    targets = _data(context, builder, signature, arguments, 2)
    place = builder.gep(sources, [arguments[1]])
    values = builder.load(builder.bitcast(place, _VECTOR.as_pointer()), align=4)
    if signature.args[2].dtype == types.float64:
        values = builder.fpext(values, ir.VectorType(ir.DoubleType(), BLOCK))
    target = builder.gep(targets, [arguments[3]])
    return values, builder.bitcast(target, values.type.as_pointer())


def _data(context: Any, builder: Any, signature: Any, arguments: Any, place: int) -> Any:
    """Return the pointer to the numbers of an argument that is an array."""
    proxy = cgutils.create_struct_proxy(signature.args[place])
    return proxy(context, builder, arguments[place]).data


sum_outer_products: Any = _sum_outer_products_in_registers
copy_block: Any = _block_intrinsic(adds=False)
add_block: Any = _block_intrinsic(adds=True)
if numba.config.DISABLE_JIT:
    sum_outer_products = _sum_outer_products
    copy_block, add_block = _copy_block, _add_block
