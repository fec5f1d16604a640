-- The directory's history, the neighbours of the hotline, its knowledge base, and contacts that are a nuisance.

-- What long-lived processes keep in memory and must read anew once it changes. Triggers count, so no writer can forget.
CREATE TABLE revisions (
    name     text PRIMARY KEY,
    revision bigint NOT NULL DEFAULT 0
);
INSERT INTO revisions (name) VALUES ('directory'), ('knowledge'), ('nuisance');
CREATE FUNCTION count_revision() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN UPDATE revisions SET revision = revision + 1 WHERE name = TG_ARGV[0]; RETURN NULL; END $$;

-- ── dispatch directory ──────────────────────────────────────────────────────────────────────────
-- Who made a version from which one, and why. One that is not in force yet can be withdrawn.
ALTER TABLE directory_versions
    ADD COLUMN parent       text NOT NULL DEFAULT '',
    ADD COLUMN author       text NOT NULL DEFAULT '',          -- '' is the city's files
    ADD COLUMN note         text NOT NULL DEFAULT '',
    ADD COLUMN withdrawn_at timestamptz,
    ADD COLUMN withdrawn_by text NOT NULL DEFAULT '';
CREATE TRIGGER directory_versions_counted AFTER INSERT OR UPDATE OR DELETE ON directory_versions
    FOR EACH STATEMENT EXECUTE FUNCTION count_revision('directory');

-- What each version changed in the one it was made from, line by line.
CREATE TABLE directory_changes (
    version text NOT NULL REFERENCES directory_versions,
    ordinal integer NOT NULL,
    l1      text NOT NULL DEFAULT '',
    l2      text NOT NULL DEFAULT '',
    doc     text NOT NULL,                          -- routing.directory_diff.Change
    PRIMARY KEY (version, ordinal)
);
CREATE INDEX directory_changes_of ON directory_changes (l1, l2) WHERE l1 <> '';

-- ── neighbours ──────────────────────────────────────────────────────────────────────────────────
-- Exactly once out: `key` is the idempotency key at the neighbour. Parcels of one ticket leave in the order of `id`.
CREATE TABLE parcels (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key        text NOT NULL UNIQUE,
    neighbour  text NOT NULL,                       -- its code in the setting `neighbours`
    ticket_id  bigint NOT NULL,
    hand_over  text NOT NULL,                       -- which hand-over it belongs to
    path       text NOT NULL,
    payload    text NOT NULL,                       -- the bytes that are signed
    state      text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'dead')),
    attempts   integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    sent_at    timestamptz,
    last_error text NOT NULL DEFAULT ''
);
CREATE INDEX parcels_waiting ON parcels (created_at) WHERE state = 'pending';
CREATE INDEX parcels_in_line ON parcels (ticket_id, id) WHERE state = 'pending';
CREATE INDEX parcels_dead ON parcels (created_at DESC, id DESC) WHERE state = 'dead';

-- Tickets that a neighbour has, or had, in hand for us. `theirs` is its own number, '' until it has answered.
CREATE TABLE hand_overs (
    key       text PRIMARY KEY,                     -- our ticket's number and the version that handed it over
    neighbour text NOT NULL,
    ticket_id bigint NOT NULL,
    number    text NOT NULL,
    theirs    text NOT NULL DEFAULT '',
    state     text NOT NULL DEFAULT 'waiting'
              CHECK (state IN ('waiting', 'arrived', 'accepted', 'returned', 'recalled', 'done')),
    at        timestamptz NOT NULL,
    told_at   timestamptz
);
CREATE INDEX hand_overs_of ON hand_overs (ticket_id);

-- Which tickets a citizen of the city's portal has sent through it.
CREATE TABLE portal_tickets (
    citizen   text NOT NULL,
    ticket_id bigint NOT NULL,
    PRIMARY KEY (citizen, ticket_id)
);

CREATE INDEX tickets_wishes ON tickets (created_at DESC, id DESC) WHERE kind = 'wish';

-- Neighbours hear of what happens from now on.
INSERT INTO readers VALUES ('neighbours', event_horizon() - 1);

-- ── knowledge ───────────────────────────────────────────────────────────────────────────────────
CREATE TABLE articles (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key        text UNIQUE,                         -- of an article that came from a file, so that it comes once
    department text NOT NULL,
    title      text NOT NULL,
    latest     integer NOT NULL,                    -- newest version, perhaps a draft
    published  integer,                             -- the version that is shown; NULL: none
    review_on  date NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX articles_by_review ON articles (review_on, id) WHERE published IS NOT NULL;
CREATE INDEX articles_by_department ON articles (department, title, id);
CREATE TRIGGER articles_counted AFTER INSERT OR UPDATE OR DELETE ON articles
    FOR EACH STATEMENT EXECUTE FUNCTION count_revision('knowledge');
CREATE TABLE article_versions (
    article_id bigint NOT NULL REFERENCES articles,
    version    integer NOT NULL,
    doc        text NOT NULL,                       -- hotline.knowledge.Content
    author     text NOT NULL,
    at         timestamptz NOT NULL,
    note       text NOT NULL DEFAULT '',
    PRIMARY KEY (article_id, version)
);
-- Who wrote, published, withdrew and reviewed.
CREATE TABLE article_acts (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    article_id bigint NOT NULL REFERENCES articles,
    version    integer NOT NULL,
    act        text NOT NULL CHECK (act IN ('written', 'published', 'withdrawn', 'reviewed')),
    actor      text NOT NULL,
    at         timestamptz NOT NULL,
    note       text NOT NULL DEFAULT ''
);
CREATE INDEX article_acts_of ON article_acts (article_id, id);

-- ── nuisance ────────────────────────────────────────────────────────────────────────────────────
-- A contact (phone in E.164 form, or a channel's key of the citizen) that a supervisor has marked. One mark in force each.
CREATE TABLE nuisance_marks (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    contact     text NOT NULL,
    reason      text NOT NULL,
    marked_by   text NOT NULL,
    marked_at   timestamptz NOT NULL,
    until       timestamptz NOT NULL,
    lifted_by   text NOT NULL DEFAULT '',
    lifted_at   timestamptz,
    lift_reason text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX nuisance_marks_in_force ON nuisance_marks (contact) WHERE lifted_at IS NULL;
CREATE INDEX nuisance_marks_of ON nuisance_marks (contact, id);
CREATE TRIGGER nuisance_marks_counted AFTER INSERT OR UPDATE OR DELETE ON nuisance_marks
    FOR EACH STATEMENT EXECUTE FUNCTION count_revision('nuisance');

-- Every contact while a mark was in force, with what was done: nothing vanishes, what was refused least of all.
CREATE TABLE nuisance_contacts (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    contact     text NOT NULL,
    at          timestamptz NOT NULL,
    channel     text NOT NULL,
    external_id text NOT NULL,
    text        text NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('passed', 'contained', 'folded', 'refused')),
    number      text NOT NULL DEFAULT '',
    attachments text NOT NULL DEFAULT '[]'
);
CREATE INDEX nuisance_contacts_of ON nuisance_contacts (contact, at);

CREATE TABLE nuisance_acts (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL,
    actor   text NOT NULL,
    act     text NOT NULL CHECK (act IN ('marked', 'lifted', 'bundled')),
    contact text NOT NULL,
    detail  text NOT NULL DEFAULT ''
);
CREATE INDEX nuisance_acts_of ON nuisance_acts (contact, id);
CREATE TRIGGER nuisance_acts_append_only BEFORE UPDATE OR DELETE ON nuisance_acts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
