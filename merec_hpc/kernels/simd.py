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


@intrinsic
def _sum_outer_products_in_registers(
    _typing: Any, left: Any, right: Any, _start: Any, _stop: Any, sums: Any, _at: Any
) -> Any:
    """Emit the loop over rows: one load, BLOCK broadcasts and fused multiply-adds each."""
    signature = types.void(left, right, types.intp, types.intp, sums, types.intp)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        start, stop, at = arguments[2], arguments[3], arguments[5]
        lefts, rights, written = (
            _data(context, builder, signature, arguments, place) for place in (0, 1, 4)
        )
        vector = ir.VectorType(ir.FloatType(), BLOCK)
        fused = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fma.v{BLOCK}f32"
        )
        size, lane = ir.IntType(64), ir.IntType(32)
        everywhere = ir.Constant(ir.VectorType(lane, BLOCK), [0] * BLOCK)
        undefined = ir.Constant(vector, ir.Undefined)
        zero = ir.Constant(vector, [0.0] * BLOCK)
        entry = builder.basic_block
        loop, end = builder.append_basic_block("row"), builder.append_basic_block("end")
        builder.cbranch(builder.icmp_signed("<", start, stop), loop, end)

        builder.position_at_end(loop)
        row = builder.phi(size)
        row.add_incoming(start, entry)
        totals = [builder.phi(vector) for _ in range(BLOCK)]
        offset = builder.mul(row, ir.Constant(size, BLOCK))
        column = builder.bitcast(builder.gep(rights, [offset]), vector.as_pointer())
        values = builder.load(column, align=4)
        grown = []
        for clip, total in enumerate(totals):
            total.add_incoming(zero, entry)
            place = builder.add(offset, ir.Constant(size, clip))
            scalar = builder.load(builder.gep(lefts, [place]))
            single = builder.insert_element(undefined, scalar, ir.Constant(lane, 0))
            spread = builder.shuffle_vector(single, undefined, everywhere)
            grown.append(builder.call(fused, [spread, values, total]))
        following = builder.add(row, ir.Constant(size, 1))
        row.add_incoming(following, loop)
        for total, next_total in zip(totals, grown, strict=True):
            total.add_incoming(next_total, loop)
        builder.cbranch(builder.icmp_signed("<", following, stop), loop, end)

        builder.position_at_end(end)
        results = []
        for next_total in grown:
            result = builder.phi(vector)
            result.add_incoming(zero, entry)
            result.add_incoming(next_total, loop)
            results.append(result)
        first = builder.mul(at, ir.Constant(size, BLOCK * BLOCK))
        for clip, result in enumerate(results):
            place = builder.add(first, ir.Constant(size, clip * BLOCK))
            target = builder.bitcast(builder.gep(written, [place]), vector.as_pointer())
            builder.store(result, target, align=4)
        return context.get_dummy_value()

    return signature, emit


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
    single = ir.VectorType(ir.FloatType(), BLOCK)
    place = builder.gep(sources, [arguments[1]])
    values = builder.load(builder.bitcast(place, single.as_pointer()), align=4)
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
