"""Who may donate an array, and what other threads see meanwhile."""

import threading

import pytest

from cornu.core.donation import Donor
from cornu.core.variable import Variable, at_one_moment, bound, read


def elsewhere(work):
    """Return what `work` returns in another thread, or raise what it raises."""
    found = []

    def run():
        try:
            found.append((work(), None))
        except BaseException as error:
            found.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    result, error = found[0]
    if error is not None:
        raise error
    return result


def stepped(donor, variables, value):
    """Run a step that sets `variables`; return whether it worked on copies."""
    copies = donor.begin(lambda: variables)
    for variable in variables:
        variable.assign(value)
    donor.end()
    return copies


def test_an_array_that_another_thread_has_read_is_not_donated():
    variable, donor = Variable(1.0), Donor()
    stepped(donor, [variable], 2.0)
    assert not stepped(donor, [variable], 3.0)
    elsewhere(lambda: variable.value)
    assert stepped(donor, [variable], 4.0)
    assert not stepped(donor, [variable], 5.0)
    elsewhere(lambda: read([variable]))
    assert stepped(donor, [variable], 6.0)


def test_the_first_step_works_on_copies_if_another_living_thread_may_have_the_array():
    variable = Variable(1.0)
    goes_on, has_read = threading.Event(), threading.Event()
    reader = threading.Thread(target=lambda: (variable.value, has_read.set(), goes_on.wait(30)))
    reader.start()
    has_read.wait(30)
    assert stepped(Donor(), [variable], 2.0)
    goes_on.set()
    reader.join()


def test_readers_wait_for_the_end_of_a_step_that_has_the_array():
    variable, donor, seen = Variable(1.0), Donor(), []
    stepped(donor, [variable], 1.5)
    donor.begin(lambda: [variable])
    reader = threading.Thread(target=lambda: seen.append(float(variable)))
    reader.start()
    reader.join(0.1)
    assert reader.is_alive()
    assert elsewhere(lambda: (variable.shape, variable.dtype)) == ((), "float32")
    variable.assign(2.0)
    donor.end()
    reader.join(30)
    assert seen == [2.0]


def test_an_assignment_of_another_thread_counts_from_the_end_of_the_step():
    variable, donor = Variable(1.0), Donor()
    stepped(donor, [variable], 1.5)
    elsewhere(lambda: variable.value)
    assert donor.begin(lambda: [variable])
    assert elsewhere(lambda: (variable.assign(7.0), float(variable))[1]) == 7.0
    variable.assign(2.0)
    donor.end()
    assert float(variable) == 7.0


def test_another_thread_takes_the_variables_over_between_steps():
    variable, first, second = Variable(1.0), Donor(), Donor()
    stepped(first, [variable], 2.0)
    assert elsewhere(lambda: stepped(second, [variable], 3.0))
    assert first.lost
    assert stepped(first, [variable], 4.0)
    assert not stepped(first, [variable], 5.0)


def test_threads_that_wait_for_each_other_are_told_so():
    variables, donors = [Variable(1.0), Variable(2.0)], [Donor(), Donor()]
    inside = threading.Barrier(2)
    errors = []

    def step(at):
        donors[at].begin(lambda: [variables[at]])
        donors[at].donated = True
        inside.wait(30)
        try:
            variables[1 - at].numpy()
        except RuntimeError as error:
            errors.append(str(error))
        finally:
            donors[at].end()

    threads = [threading.Thread(target=step, args=(at,)) for at in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(errors) == 1
    assert "each waits" in errors[0]


def test_values_that_a_thread_binds_are_its_own():
    variable = Variable(1.0)
    with bound([variable], [Variable(5.0).value]):
        assert float(variable) == 5.0
        assert elsewhere(lambda: float(variable)) == 1.0
        variable.assign(6.0)
        elsewhere(lambda: variable.assign(2.0))
        assert float(variable) == 6.0
    assert float(variable) == 2.0


def test_at_one_moment_nothing_moves_and_changes_are_kept():
    weight, count, donor = Variable(1.0), Variable(0.0), Donor()
    stepped(donor, [weight, count], 1.0)

    def look():
        with at_one_moment(lambda: [weight, count]):
            before = float(weight)
            threading.Thread(target=weight.assign, args=(3.0,)).start()
            count.assign(before + 1)
            return before, float(weight)

    assert elsewhere(look) == (1.0, 1.0)
    assert float(count) == 2.0
    with pytest.raises(ZeroDivisionError), at_one_moment(lambda: [weight]):
        raise ZeroDivisionError
