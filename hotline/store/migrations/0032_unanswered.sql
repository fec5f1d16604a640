-- Emergency desks that did not pick up when they were rung into a call, each as often as it was rung.
ALTER TABLE calls ADD COLUMN unanswered text[] NOT NULL DEFAULT '{}';
