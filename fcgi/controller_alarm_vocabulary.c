/* controller_alarm_vocabulary: classes, groups, areas and causes as one file,
 * by REST, both ways. */

#include "fcgi/controller_alarm.h"
#include "model/alarm_vocabulary.h"

enum rc
controller_vocabulary_get(struct req *req, struct resp *resp)
{
	struct plant plant;
	enum rc rc = controller_alarm_plant(req, &plant);

	return rc == RC_OK ? alarm_vocabulary_write(req->db, req->arena,
				     plant.datasource.id, resp_json(resp, 200),
				     &req->fault)
			   : rc;
}

static enum rc
store(struct req *req, struct resp *resp, const struct plant *plant,
	const struct alarm_vocabulary *vocabulary, enum alarm_limit_mode mode)
{
	struct audit what = {.action = "alarm_vocabulary.import"};
	struct alarm_limit_count counts = {0};
	enum rc rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);

	if (rc == RC_OK)
		rc = alarm_vocabulary_put(req->db, req->arena,
			plant->datasource.id, vocabulary, mode, &counts,
			&req->fault);
	what.after = controller_alarm_counts(req->arena, &counts);
	rc = controller_finish(
		req, rc, &what, "datasource", plant->datasource.name);
	if (rc == RC_OK)
		buf_text(resp_body(resp, 200, "application/json"), what.after);
	return rc;
}

enum rc
controller_vocabulary_put(struct req *req, struct resp *resp)
{
	struct alarm_vocabulary vocabulary;
	enum alarm_limit_mode mode = ALARM_LIMIT_MERGE;
	struct json_object *document;
	struct plant plant;
	enum rc rc = controller_alarm_plant(req, &plant);

	if (rc == RC_OK)
		rc = controller_alarm_mode(req, &mode);
	if (rc == RC_OK)
		rc = req_object(req, &document);
	if (rc == RC_OK)
		rc = alarm_vocabulary_read(
			req->arena, document, &vocabulary, &req->fault);
	return rc == RC_OK ? store(req, resp, &plant, &vocabulary, mode) : rc;
}
