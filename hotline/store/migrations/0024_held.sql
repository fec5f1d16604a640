-- What a legal hold (legal_holds) keeps, asked when something is to be deleted: what came to a held ticket or
-- citizen after the hold was put is kept too. Functions, so that each row is looked up by itself, however large the tables.

-- A ticket on hold itself or through its citizen.
CREATE FUNCTION held_ticket(asked text) RETURNS boolean LANGUAGE sql STABLE AS
$$ SELECT EXISTS (
    SELECT FROM tickets t JOIN legal_holds h ON h.lifted_at IS NULL
        AND (h.ticket_id = t.id OR (h.citizen = t.citizen AND h.citizen <> ''))
    WHERE t.number = asked
) $$;

-- A call whose recording is on hold, or that is of a held ticket or citizen: its recording, words and caller stay.
CREATE FUNCTION held_call(asked text) RETURNS boolean LANGUAGE sql STABLE AS
$$ SELECT EXISTS (SELECT FROM recordings r WHERE r.call = asked AND r.legal_hold) OR EXISTS (
    SELECT FROM calls c LEFT JOIN tickets t ON t.id = c.ticket_id JOIN legal_holds h ON h.lifted_at IS NULL
        AND (h.ticket_id = c.ticket_id OR (h.citizen <> '' AND (h.citizen = c.caller OR h.citizen = t.citizen)))
    WHERE c.id = asked
) $$;

-- The callback of a missed call that is held, or to somebody of whom anything is.
CREATE FUNCTION held_callback(asked text) RETURNS boolean LANGUAGE sql STABLE AS
$$ SELECT held_call(asked) OR EXISTS (
    SELECT FROM callbacks b JOIN legal_holds h ON h.lifted_at IS NULL LEFT JOIN tickets t ON t.id = h.ticket_id
    WHERE b.call = asked AND b.phone <> '' AND (h.citizen = b.phone OR t.citizen = b.phone)
) $$;

-- A message of `outbox` about a held ticket or callback, by its key (hotline/effects.py, family_news.py, callbacks.py, core.py).
CREATE FUNCTION held_letter(asked text, sent_by text) RETURNS boolean LANGUAGE sql STABLE AS
$$ SELECT held_ticket(substring(asked FROM '^(?:notice|family)-([^-]+)-'))
    OR held_callback(substring(asked FROM '^callback-(.*)$'))
    OR EXISTS (
        SELECT FROM inbox i JOIN tickets t ON t.id = i.ticket_id
        WHERE i.channel = sent_by AND i.external_id = substring(asked FROM '^answer-(.*)$') AND held_ticket(t.number)
    ) $$;
