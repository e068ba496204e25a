CREATE TABLE person (
  id INTEGER PRIMARY KEY,
  login VARCHAR(40) NOT NULL UNIQUE,
  first_name VARCHAR(80) NOT NULL,
  last_name VARCHAR(80) NOT NULL,
  mail VARCHAR(120),
  unit VARCHAR(40),
  hired DATE,
  active BOOLEAN NOT NULL,
  changed INTEGER NOT NULL DEFAULT 1
);

-- Each change of a row gets a greater number: by it liveSync knows what is new.
CREATE TRIGGER person_changed AFTER UPDATE OF login, first_name, last_name, mail, unit, hired, active ON person
BEGIN
  UPDATE person SET changed = (SELECT max(changed) + 1 FROM person) WHERE id = NEW.id;
END;

CREATE TRIGGER person_added AFTER INSERT ON person
BEGIN
  UPDATE person SET changed = (SELECT max(changed) + 1 FROM person) WHERE id = NEW.id;
END;

INSERT INTO person (id, login, first_name, last_name, mail, unit, hired, active) VALUES
  (1, 'alovelace', 'Ada', 'Lovelace', 'ada.lovelace@example.com', 'research', '2019-05-01', TRUE),
  (2, 'ghopper', 'Grace', 'Hopper', 'grace.hopper@example.com', 'research', '2020-02-01', TRUE),
  (3, 'aturing', 'Alan', 'Turing', NULL, 'research', '2021-09-15', TRUE),
  (4, 'mshelley', 'Mary', 'Shelley', 'mary.shelley@example.com', 'sales', '2018-01-01', FALSE);
