"""An asyncio application: several runs at once, each with tasks and threads of its own.

Run it with ``python asyncio_app.py``: every line on stdout is an audit event of one of three runs.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time

import agentlogsafe

log = logging.getLogger("quotes")

PRICES = {"SKU-1": 120, "SKU-2": 45}


async def main() -> None:
    """Serve two customers at the same time, as parts of one batch."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(agentlogsafe.AuditFormatter(agent_name="quote-agent", workflow_name="quotes"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])

    # A run inside a run names the outer one as its parent.
    async with agentlogsafe.run(workflow_name="quotes-batch"):
        await asyncio.gather(quote("c-1", "SKU-1"), quote("c-2", "SKU-2"))


@agentlogsafe.run()
async def quote(customer: str, sku: str) -> int:
    """Answer one customer: every call is a run, and what it awaits is a part of it."""
    log.info("user_message", {"message": f"What does {sku} cost?", "actor": customer})
    price, stock = await asyncio.gather(price_of(sku), asyncio.create_task(stock_of(sku)))
    note = await asyncio.to_thread(read_note, sku)
    log.info("decision", {"decision": "quote", "price": price, "stock": stock, "note": note})
    return price


async def price_of(sku: str) -> int:
    """Call a tool; the result has the call as its parent."""
    async with agentlogsafe.step("tool_call", tool_name="price", args={"sku": sku}) as call:
        await asyncio.sleep(0.01)
        call.result({"sku": sku, "price": PRICES[sku]})
    return PRICES[sku]


async def stock_of(sku: str) -> int:
    """Search an index, in a task of its own."""
    async with agentlogsafe.step("retrieval_query", query=f"stock of {sku}", source="warehouse") as search:
        await asyncio.sleep(0.005)
        search.result([{"sku": sku, "stock": 7}], count=1)
    return 7


def read_note(sku: str) -> str:
    """Block, in a thread: ``asyncio.to_thread`` takes the run along by itself."""
    with agentlogsafe.step("tool_call", tool_name="read_note", args={"sku": sku}) as call:
        time.sleep(0.01)
        call.result("no discount")
    return "no discount"


if __name__ == "__main__":
    asyncio.run(main())
