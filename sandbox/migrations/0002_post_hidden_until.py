from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sandbox", "0001_initial")]

    operations = [
        migrations.AddField(model_name="post", name="hidden_until", field=models.DateTimeField(null=True)),
    ]
