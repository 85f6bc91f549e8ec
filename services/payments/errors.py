"""Payments' errors as problems, and the constraints that stand for them."""

from collections.abc import Callable

from services.payments.domain import award, batch, disbursement, due_day, hold, payee
from services.payments.use_cases import build_batch, move_batch
from services.shared.runtime.problems import Catalogue, Problem

CATALOGUE: Catalogue = {
    batch.SamePersonTwice: Problem(
        "second_person_needed",
        409,
        "编制人和提交人不能自己审批",
        "Who made or submitted the batch may not decide on it",
        "请另一位复核人员审批",
        "Ask another checker",
    ),
    batch.ControlTotalsDiffer: Problem(
        "control_totals_differ",
        409,
        "所引用的清单根值与提交的清单不符",
        "The lines root quoted is not that of the submitted list",
        "重新取得批次，核对清单后引用其 lines_root",
        "Get the batch again, check its list and quote its lines_root",
    ),
    batch.BatchStepRefused: Problem(
        "batch_step_refused",
        409,
        "批次当前状态 {from_state} 不能变为 {to_state}",
        "A batch in {from_state} cannot become {to_state}",
        "先查看批次状态",
        "Look at the batch's state",
    ),
    build_batch.NoLinesWait: Problem(
        "no_lines_wait",
        422,
        "该项目、月份、地区没有待发放的明细",
        "No line of this programme, month and place waits for a batch",
        "核对项目、月份与地区，或查看已有批次",
        "Check programme, month and place, or look at the batches that exist",
    ),
    move_batch.BatchHasHeldLines: Problem(
        "batch_has_held_lines",
        409,
        "批次中有明细被暂缓",
        "A line of the batch is held",
        "先由县级民政部门答复该暂缓",
        "Have the county answer the hold first",
    ),
    disbursement.DisbursementStepRefused: Problem(
        "line_step_refused",
        409,
        "明细当前状态 {from_state} 不能变为 {to_state}",
        "A line in {from_state} cannot become {to_state}",
        "先查看明细的状态",
        "Look at the line's state",
    ),
    due_day.DueRuleMissing: Problem(
        "programme_not_paid_here",
        422,
        "支付服务没有项目 {programme} 的发放规则",
        "Payments has no rule for paying programme {programme}",
        "核对项目代码，或先在规则包中加入其发放日规则",
        "Check the programme's code, or add its due day to the pack",
    ),
    award.AwardInvalid: Problem(
        "award_contradicts_itself",
        422,
        "发放内容自相矛盾",
        "The award contradicts itself",
        "核对金额、起止月份与人数",
        "Check amount, months and persons",
    ),
    payee.PayeeInvalid: Problem(
        "payee_cannot_be_paid",
        422,
        "领款人姓名或账号无法用于付款",
        "The payee's name or account cannot be written into a payment",
        "核对姓名与账号",
        "Check name and account number",
    ),
    hold.SamePersonAnswersTwice: Problem(
        "second_person_needed_for_hold",
        409,
        "答复人不能自己确认",
        "Who answered the hold may not confirm it",
        "请另一位工作人员确认",
        "Ask another person to confirm",
    ),
    hold.HoldStepRefused: Problem(
        "hold_step_refused",
        409,
        "暂缓当前状态 {state} 不能进行此操作",
        "A hold in {state} does not allow this",
        "先查看暂缓的状态",
        "Look at the hold's state",
    ),
}

CONSTRAINTS: dict[str, Callable[[], Exception]] = {
    "batch_is_decided_by_a_second_person": lambda: batch.SamePersonTwice("the database refuses one person in both"),
    "batch_is_not_decided_by_its_maker": lambda: batch.SamePersonTwice("the database refuses one person in both"),
    "hold_is_confirmed_by_a_second_person": lambda: hold.SamePersonAnswersTwice(
        "the database refuses one person in both"
    ),
}
