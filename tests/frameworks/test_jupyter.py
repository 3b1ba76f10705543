"""A Jupyter kernel, through nbclient: cells run twice, top-level await, runs across cells."""

from __future__ import annotations

import pytest

from tests.helpers import lines, valid

from .tools import OUTSIDE, by_run, of_type, recipe, whole

nbclient = pytest.importorskip("nbclient", reason="needs nbclient, of the extra 'frameworks'")
nbformat = pytest.importorskip("nbformat", reason="needs nbclient, of the extra 'frameworks'")
pytest.importorskip("ipykernel", reason="needs ipykernel, of the extra 'frameworks'")


class Notebook:
    """A kernel, and the events that its cells have logged."""

    def __init__(self, client, path):
        self.client = client
        self.path = path

    def run(self, source):
        """Run a cell; return its result, and the events that it logged."""
        before = len(self.events())
        cells = self.client.nb.cells
        cells.append(nbformat.v4.new_code_cell(source))
        outputs = self.client.execute_cell(cells[-1], len(cells) - 1).outputs
        results = [output["data"]["text/plain"] for output in outputs if output.output_type == "execute_result"]
        return (results or [None])[0], self.events()[before:]

    def events(self):
        return [valid(event) for event in lines(self.path)] if self.path.exists() else []


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """A notebook whose first cell is the recipe's."""
    folder = tmp_path_factory.mktemp("notebook")
    client = nbclient.NotebookClient(
        nbformat.v4.new_notebook(), timeout=30, resources={"metadata": {"path": str(folder)}}
    )
    with client.setup_kernel():
        notebook = Notebook(client, folder / "audit.jsonl")
        notebook.run(recipe("cell_setup.py"))
        yield notebook


def test_recipe(notebook):
    """The page's cell, run twice, is two whole runs with top-level ``async with``; the setup can be run again too."""
    first_id, first = notebook.run(recipe("cell_run.py"))
    notebook.run(recipe("cell_setup.py"))
    second_id, second = notebook.run(recipe("cell_run.py"))

    assert len({first_id, second_id}) == 2
    for run_id, events in ((first_id, first), (second_id, second)):
        start, call, decision, result, _ = whole(events, "analyst")
        assert repr(start["run_id"]) == run_id
        assert decision["parent_event_id"] == result["parent_event_id"] == call["event_id"]
        assert "parent_run_id" not in start


def test_an_object_of_an_earlier_cell(notebook):
    """Entering the same run again, in a cell that is run twice, starts a new one."""
    notebook.run('review = agentlogsafe.run("analyst", "review")')
    runs = [notebook.run('with review:\n    log.info("decision")')[1] for _ in range(2)]

    assert [len(whole(run, "analyst")) for run in runs] == [3, 3]
    assert len({run[0]["run_id"] for run in runs}) == 2
    assert not [run for run in runs if "parent_run_id" in run[0]]


def test_await_and_tasks(notebook):
    """Tasks and threads of a cell are in its run; after the cell there is none (28)."""
    _, events = notebook.run(
        """
async def work(number):
    await asyncio.to_thread(log.info, "decision", {"number": number})
async with agentlogsafe.run("analyst"):
    await asyncio.gather(work(1), work(2))
"""
    )
    _, after = notebook.run('log.info("decision")')

    assert {event["payload"]["number"] for event in of_type(whole(events, "analyst"), "decision")} == {1, 2}
    assert [(event["run_id"], event["problems"]) for event in after] == [(None, OUTSIDE)]


def test_a_cell_that_raises(notebook):
    """Its run ends with the error, and the next cell is in no run."""
    with pytest.raises(nbclient.exceptions.CellExecutionError):
        notebook.run('async with agentlogsafe.run("analyst"):\n    1 / 0')
    failed = notebook.events()[-3:]
    _, after = notebook.run('log.info("decision")')

    assert [event["event_type"] for event in whole(failed, "analyst")] == ["run_start", "error", "run_end"]
    assert failed[1]["payload"]["exception"]["type"] == "ZeroDivisionError"
    assert after[0]["problems"] == OUTSIDE


def test_a_run_over_several_cells(notebook):
    """One that is entered in a cell and left in another has what is in between, and nothing that comes later."""
    notebook.run('over = agentlogsafe.run("analyst", "over").__enter__()')
    _, (between,) = notebook.run('log.info("decision")')
    notebook.run("over.__exit__(None, None, None)")
    _, (after,) = notebook.run('log.info("decision")')

    (start,) = (event for event in of_type(notebook.events(), "run_start") if event["workflow_name"] == "over")
    assert [event["event_id"] for event in whole(by_run(notebook.events())[start["run_id"]], "analyst")][1] == between[
        "event_id"
    ]
    assert (after["run_id"], after["problems"]) == (None, OUTSIDE)
