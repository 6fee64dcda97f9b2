"""Spending of a synthetic patient: invoices, payments, claims, superbills, packages, cards."""

from datetime import timedelta

from connectors.sandbox.healthie.rows import Row, text
from connectors.sandbox.healthie.synthetic import Maker

CLAIMS = ("NOT_SENT", "SENT", "FULLY_PAID", "REJECTED")


def spending(maker: Maker, id_: str) -> None:
    for _ in range(maker.draw.choice((0, 0, 1, 1, 2))):
        _invoice(maker, id_)
    if maker.draw.random() < 0.2:
        _membership(maker, id_)
    if maker.draw.random() < 0.2:
        values: Row = {
            "user_id": id_,
            "stripe_id": f"card_test{id_}",
            "source_type": "card",
            "source_status": "active",
            "card_type": "visa",
            "card_type_label": "Visa",
            "last_four": f"{maker.draw.randrange(10_000):04}",
            "expiration": maker.now + timedelta(days=400),
        }
        maker.add("StripeCustomerDetail", values)


def _invoice(maker: Maker, id_: str) -> None:
    """An invoice, its payment where there was one, and sometimes a claim and a superbill for it."""
    cents, paid = maker.draw.randrange(2_000, 40_000), maker.draw.random() < 0.6
    price, patient = f"{cents // 100}.{cents % 100:02}", maker.state.find("User", id_) or {}
    provider = text(patient, "dietitian_id")
    values: Row = {
        "invoice_id": f"{maker.draw.randrange(10**6):06}",
        "invoice_type": "Other",
        "status": "Paid" if paid else "Not Yet Paid",
        "price": price,
        "balance_due": 0.0 if paid else cents / 100,
        "currency": "usd",
        "recipient_id": id_,
        "sender_id": provider,
        "offering_id": maker.known.offerings[1],
        "metadata": None,
    }
    asked = maker.add("RequestedPayment", values)
    if paid or maker.draw.random() < 0.2:
        _payment(maker, asked, paid=paid)
    charged: Row = {"patient_id": id_, "dietitian_id": provider, "amount_paid": "0.00"}
    if maker.draw.random() < 0.3:
        claim: Row = {"total_charge": price, "amount_reimbursed": "0.00", "client_responsibility": "20.00"}
        plan: Row = {"primary_plan_name": "Aurora Health Plan", "date_of_service": asked["created_at"]}
        maker.add("Cms1500", {**charged, **claim, **plan, "status": maker.draw.choice(CLAIMS)})
    if maker.draw.random() < 0.1:
        bill: Row = {"total_fee": price, "balance_due": price, "service_date": asked["created_at"]}
        maker.add("SuperBill", {**charged, **bill, "status": "Unpaid"})


def _payment(maker: Maker, asked: Row, *, paid: bool) -> None:
    values: Row = {
        "state": "SUCCEEDED" if paid else "FAILED",
        "amount_paid": asked["price"],
        "amount_paid_string": f"${asked['price']}",
        "net_payment": asked["price"],
        "refund_amount": "0.00",
        "currency": "usd",
        "payment_medium": "card",
        "failure_reason": None if paid else "card_declined",
        "sender_id": asked["recipient_id"],  # the payer is the patient
        "recipient_id": asked["sender_id"],
        "requested_payment_id": asked["id"],
        "stripe_charge_id": f"ch_test{asked['id']}",
        "is_recurring": False,
        "is_outside_payment": False,
    }
    maker.add("BillingItem", values)


def _membership(maker: Maker, id_: str) -> None:
    offering = maker.known.offerings[0]
    values: Row = {
        "sender_id": id_,
        "recipient_id": maker.known.staff[1],
        "offering_id": offering,
        "offering_name": "Membership",
        "amount_to_pay": "99.00",
        "billing_frequency": "Monthly",
        "is_canceled": maker.draw.random() < 0.3,
        "is_paused": False,
        "next_payment_date": maker.now + timedelta(days=maker.draw.randint(1, 30)),
        "payments_remaining": "Until canceled",
    }
    maker.add("RecurringPayment", values)
    maker.add("UserPackageSelection", {"user_id": id_, "offering_id": offering})
